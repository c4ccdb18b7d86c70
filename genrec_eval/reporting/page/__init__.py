"""What the report template is given, part by part; ``parts`` is where a part is wired in."""
