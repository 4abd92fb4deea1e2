"""What routers are asked about themselves, as bytes: NAT-PMP (RFC 6886), PCP (RFC 6887) and SSDP (UPnP).

Sans-IO, and read-only: nothing here can make or delete a mapping. Decoders take hostile bytes, return None for what is
no answer, and never raise.
"""
