"""Names of the test lists that are not parts of a dataset's split: the bodies that poses are generated for."""

OWN_BODY = "own-body"  # the training body
NEW_BODY = "new-body"  # the test identities
