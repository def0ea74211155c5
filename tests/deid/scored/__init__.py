"""A scored set for de-identification, after the public description of the MIDI-B challenge (2024), and its judge.

`people` says who the patients are, `texts` what is written about them, `instance` builds an object together with the answers
to it, `header`, `images` and `derived` are the objects, `judge` reads what came out.
"""
