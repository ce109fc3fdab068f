"""What is known of a start: the table of facts that rules may ask about, and the values they are made of.

Places, families, tool roles and precedents are values; nothing in this room decides or trusts.
"""
