"""What each process does for itself when it starts."""

import resource

from connectme.child import FILES, open_more_files


def test_a_process_may_have_more_connections_than_shells_usually_allow():
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, usual[1]))
        open_more_files()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert hard == usual[1]
        assert soft == (FILES if hard == resource.RLIM_INFINITY else min(hard, FILES))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
