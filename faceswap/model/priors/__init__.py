"""What trainings start from: weights learnt from fictional people, and how they are learnt."""
