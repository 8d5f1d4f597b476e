"""The cluster: who is in it, who serves which slots, and what is known of both."""
