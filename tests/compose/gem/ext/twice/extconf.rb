require "mkmf"
create_makefile("twice/twice")
