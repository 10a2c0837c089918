"""Given, When and Then by noun. They import only the two ports."""
