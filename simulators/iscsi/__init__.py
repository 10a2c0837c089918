"""An iSCSI target (RFC 7143) in plain Python. It knows no array: who owns the LUNs decides who sees them."""
