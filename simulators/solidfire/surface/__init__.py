"""The whole surface of the Element API as tables: JSON pages by noun, and what reads, answers and checks by them.

One page holds methods, types and enumerations. A method `takes` parameters and `gives` members, each written as a
shape, `word[suffix][?][ since version]`: `integer`, `string[]?`, `integer{}` (a map), `boolean? since 8.0`; `?` means
it may be missing. Words are integer, number, string, time, boolean, uuid, object, name_or_id, or one of the types.
"""
