"""The rules of the API's methods, one module for each kind of thing; every module ends in its part of the table."""
