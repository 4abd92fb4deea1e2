"""A NAT by specification in user space, and the network around it: any command behind any NAT on one computer."""
