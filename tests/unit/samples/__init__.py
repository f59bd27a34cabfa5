"""The sample documents and questions hold what their README says."""
