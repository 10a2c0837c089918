"""NFS version 3 over TCP: another door to the same export, for clients of other processes that no mount can serve."""
