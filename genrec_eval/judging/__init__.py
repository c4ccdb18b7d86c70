"""Judges: rubrics, dialects, policies, and what makes a judge worth believing."""
