"""Who may use a relay, by its configuration."""

from collections.abc import Iterator

from rtcdiag.audit.conf_view import Conf, Issue
from rtcdiag.evidence import ConfigLine

SECRET_CHARS = 32
USE_SECRET = ("use-auth-secret", "static-auth-secret=<64 random letters and digits>")
_DATABASES = ("userdb", "db", "psql-userdb", "sql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb")


def credentials(conf: Conf) -> Iterator[Issue]:
    """Judge how users are told from strangers, where there is a relay."""
    if conf.flag("stun-only"):
        return
    yield from _anonymous(conf)
    yield from _secrets(conf)
    yield from _users(conf)
    if _checks_users(conf) and not conf.value("realm"):
        suggested = ("realm=<your domain>",)
        yield Issue(code="turn-config-no-realm", lines=conf.all("realm"), suggested=suggested)


def _by_secret(conf: Conf) -> bool:
    return conf.flag("use-auth-secret") or bool(conf.all("static-auth-secret"))


def _checks_users(conf: Conf) -> bool:
    return conf.flag("lt-cred-mech") or _by_secret(conf) or bool(conf.all("user"))


def _anonymous(conf: Conf) -> Iterator[Issue]:
    """Without any user, secret or mechanism coturn serves everybody, too; a database may have users."""
    if conf.flag("no-auth"):
        has_mechanism = _checks_users(conf)
        yield Issue(
            code="turn-config-no-auth",
            lines=conf.all("no-auth"),
            suggested=() if has_mechanism else USE_SECRET,
            facts={"how": "no-auth is set"},
        )
    elif not _checks_users(conf):
        told = any(conf.all(name) for name in _DATABASES)
        how = "neither lt-cred-mech nor use-auth-secret is set" + (", whatever the database has" if told else "")
        yield Issue(code="turn-config-no-auth", suggested=USE_SECRET, facts={"how": how})


def _secrets(conf: Conf) -> Iterator[Issue]:
    for line in conf.all("static-auth-secret"):
        if line.secret is None:
            continue
        if line.secret.weak:
            yield Issue(code="turn-config-known-secret", lines=(line,), suggested=USE_SECRET[1:])
        elif line.secret.length < SECRET_CHARS:
            facts = {"length": line.secret.length}
            yield Issue(code="turn-config-short-secret", lines=(line,), suggested=USE_SECRET[1:], facts=facts)


def _users(conf: Conf) -> Iterator[Issue]:
    users, weak = conf.all("user"), tuple(filter(_is_weak, conf.all("user")))
    if weak:
        suggested = () if _by_secret(conf) else USE_SECRET
        yield Issue(code="turn-config-known-password", lines=weak, suggested=suggested)
    if users and _by_secret(conf):
        yield Issue(code="turn-config-mixed-credentials", lines=(*users, *conf.all("lt-cred-mech")))
    elif users:
        lines = (*users, *conf.all("lt-cred-mech"))
        yield Issue(code="turn-config-lasting-credentials", lines=lines, suggested=USE_SECRET)


def _is_weak(line: ConfigLine) -> bool:
    return line.secret is not None and line.secret.weak is not None
