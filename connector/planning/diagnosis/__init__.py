"""What is billed wrongly: usage, what was written and what ConnectWise has, side by side."""
