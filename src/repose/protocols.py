"""Names of the test lists that are not parts of a dataset's split: whose bodies generated poses are of."""

OWN_BODY = "own-body"  # the body that was learned from
NEW_BODY = "new-body"  # the test identities
