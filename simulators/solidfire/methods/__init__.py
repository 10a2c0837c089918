"""The rules of the API's methods, one module for each kind of thing; every module ends in its `RULES`.

To make a method real: write `def take_photograph(array: Array, given: Given) -> Mapping[str, Any]` in the module of its
noun, add the line `"TakePhotograph": take_photograph` to that module's RULES, and a new module's RULES to the list in
calls.py. Versions, doors and parameters come from the tables in surface/; correct them there, never in a rule.
"""
