"""The hosted page where a customer reads what is asked, consents per source and authorises each platform."""
