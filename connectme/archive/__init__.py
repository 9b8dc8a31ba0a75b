"""What somebody takes along, in the form of Mastodon's archives: one ZIP of ActivityPub documents and files.

actor.json             who it is
outbox.json            his posts and boosts, the oldest first
likes.json             addresses of what he likes
media_attachments/     files of his posts; avatar and header are beside actor.json
follows.csv …          whom he follows, mutes, blocks; lists and bookmarks (ours alone: Mastodon gives them one by one)
"""
