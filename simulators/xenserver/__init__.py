"""A simulated XenServer pool: pool (state), methods (rules), wire (XML-RPC), plugins, and the disks they copy."""
