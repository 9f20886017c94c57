"""Acting rooms for a teacher's rehearsal: light peers that send a made picture and hum."""
