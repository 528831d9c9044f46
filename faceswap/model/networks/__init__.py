"""Networks: layers and graphs."""
