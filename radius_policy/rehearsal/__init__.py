"""Rules tried before they go live: test cases, checks, recorded starts and their replay through the same judgement."""
