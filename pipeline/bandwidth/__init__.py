"""THE WIRE: what the Bandwidth Messaging API v2 says and hears."""
