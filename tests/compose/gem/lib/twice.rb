require "twice/twice"
