"""A simulated SolidFire (Element) cluster: array (state), methods (rules), wire (envelope, errors, auth)."""
