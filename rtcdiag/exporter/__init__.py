"""The Prometheus exporter: each scrape checks one target of a configuration, as deep as it asks for."""
