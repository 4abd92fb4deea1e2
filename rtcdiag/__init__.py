"""rtcdiag: can two WebRTC peers reach each other directly, and if not, why."""
