"""The transport: requests and responses as values, and the modules that send them with `requests` and `urllib3`."""
