"""Why a line bills what it bills: from ConnectWise back to Sophos's rows and the map's lines."""
