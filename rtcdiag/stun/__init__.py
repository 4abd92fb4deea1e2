"""STUN on the wire, sans-IO: bytes in, values out, time as an argument (RFC 8489, RFC 8656, RFC 5780)."""
