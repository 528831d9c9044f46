"""What shows between the lids and between the lips: eyeballs, teeth and tongue, which are the target's own."""
