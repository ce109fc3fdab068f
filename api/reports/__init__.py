"""Reports: what was new on a day, who ran it at a time, how it spread.

Queries read the store and give values (`day`, `window`, `spread`); renderers make text of them; nothing here decides.
"""
