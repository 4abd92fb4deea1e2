"""Findings as rules would give them, built by hand: a test of a format must not move with the catalogue's words."""

from rtcdiag.findings import Finding, Severity

RELAY_PRIVATE = Finding(
    code="turn-relay-private-address",
    row="R1",
    severity=Severity.ERROR,
    subject="turn:turn.example.org:3478",
    stage="relayed-address",
    title="turn:turn.example.org:3478 relays from 10.0.3.17, an address that peers cannot reach",
    meaning="Allocations succeed, and then no packet arrives: calls that need the relay fail after about 30 seconds.",
    remedy={"server_operator": "Set external-ip in turnserver.conf to the server's public address and restart it."},
    facts={"relayed": "10.0.3.17:49152", "server_address": "198.51.100.20:3478"},
    evidence=("obs-12",),
)
CERTIFICATE_EXPIRED = Finding(
    code="tls-certificate-expired",
    row="T2",
    severity=Severity.ERROR,
    subject="turns:turn.example.com:443?transport=tcp",
    stage="tls",
    title="The certificate of turns:turn.example.com:443?transport=tcp expired on 2025-09-16",
    meaning="Browsers refuse this server without telling why; people behind strict firewalls lose their only relay.",
    remedy={
        "server_operator": "Renew the certificate, then let the server load it (coturn: send SIGUSR2 or restart it).",
        "you": "Nothing: do not switch verification off.",
    },
    facts={"not_after": "2025-09-16T05:20:00Z", "days": 432},
    evidence=("obs-4",),
)
WRONG_CREDENTIALS = Finding(
    code="turn-credentials-rejected",
    row="A3",
    severity=Severity.ERROR,
    subject="turn:turn.example.com:3478",
    stage="allocate",
    title="turn:turn.example.com:3478 refused the username or password",
    meaning="The server works and is reachable; without an allocation there is no relay.",
    remedy={
        "you": "Compare username and password with what the server has; time-limited ones may have expired.",
        "server_operator": "Check user= or static-auth-secret= and realm= in turnserver.conf.",
    },
    facts={"error_code": 401, "realm": "example.org"},
    evidence=("obs-6",),
)
UDP_BLOCKED = Finding(
    code="udp-blocked",
    row="N6",
    severity=Severity.WARNING,
    title="This network lets no UDP out: 2 of 2 servers were silent over UDP and answered over TCP",
    meaning="No direct connection is possible from here. Calls work through the relay over TLS.",
    remedy={"network_admin": "Allow outgoing UDP to port 3478, and to the ports 1024 to 65535 for direct calls."},
    facts={"silent": 2, "answered_tcp": 2},
    evidence=("obs-3", "obs-4"),
)
SYMMETRIC = Finding(
    code="nat-address-and-port-dependent-mapping",
    severity=Severity.INFO,
    title="The NAT gives every destination another port (symmetric NAT)",
    meaning="Peers learn an address here that is not the one they will see; most need a relay.",
    remedy={"network_admin": "Choose endpoint-independent mapping (called full cone or static port) on the router."},
    facts={"mapped": ["203.0.113.7:61001", "203.0.113.7:61002", "203.0.113.7:61003"]},
    evidence=("obs-3", "obs-4", "obs-5"),
)
CRASHED = Finding(
    code="probe-crashed",
    severity=Severity.WARNING,
    title="The probe nat_behavior stopped with a KeyError",
    meaning="A mistake in this program; what the probe would have shown is missing below.",
    remedy={"developer": "Please report it with this file."},
    facts={"error": "KeyError", "where": "nat_behavior.py:88"},
    evidence=("obs-2",),
)
NO_NETWORK = Finding(
    code="no-network",
    severity=Severity.ERROR,
    title="This computer has no route to the internet",
    meaning="Nothing can be tested, and no call can leave this computer.",
    remedy={"you": "Connect to a network, then run this again."},
)


def numbered(number: int) -> Finding:
    """Return one of many findings about one of many servers."""
    server = f"turn:turn{number}.a-rather-long-name.example.net:3478?transport=udp"
    return Finding(
        code=f"turn-made-up-failure-{number}",
        severity=(Severity.ERROR, Severity.WARNING, Severity.INFO)[number % 3],
        subject=server,
        stage="allocate",
        title=f"{server} refused the allocation for a reason that takes a whole sentence to tell, number {number}",
        meaning="Calls that need this relay fail, and it takes more than one line of eighty columns to say why.",
        remedy={
            "server_operator": f"Mend the server number {number}: read its log, then raise the quota for this user.",
            "you": "Tell the operator.",
        },
        evidence=(f"obs-{number}",),
    )
