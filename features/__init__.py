"""The requirements as Gherkin, by capability. No Python lives here but this line."""
