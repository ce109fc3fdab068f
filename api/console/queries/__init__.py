"""What the pages show, read in one consistent view each and bounded whatever the fleet's size."""
