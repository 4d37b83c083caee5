"""Dense intrinsic appearance flow (Li, Huang and Loy, CVPR 2019): networks, warps and losses."""
