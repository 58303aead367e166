"""How bytes travel: requests and answers as values, and the one room that knows `requests` and `urllib3`."""
