"""Objects of older APIs as those of today: pure functions from map to maps.

A function takes what it knows from its input and lists what it leaves behind. It works on plain
data and on ruamel.yaml's round-trip data alike, so that the text can be checked against the data.
"""
