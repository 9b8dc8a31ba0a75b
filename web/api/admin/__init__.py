"""What only moderators may: https://docs.joinmastodon.org/methods/admin/"""
