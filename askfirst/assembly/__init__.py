"""Put a broker together: store, log, desk, gate, API and web inbox, each handed what it needs.

Part of the entry: with ``askfirst.entry`` the only place that imports the outer packages.
"""
