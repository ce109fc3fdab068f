"""What each make of switch, access point or controller understands: profiles as data, with evidence."""
