"""The rendezvous: two people leave each other messages in rooms, which it cannot read (``rtcdiag serve signal``)."""
