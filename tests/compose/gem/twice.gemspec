# A gem with a C extension, to test that images take those that users name.
Gem::Specification.new do |gem|
  gem.name = "twice"
  gem.version = "1.0.0"
  gem.summary = "Doubles a number in C"
  gem.authors = ["Bad Lambda"]
  gem.homepage = "http://localhost"
  gem.license = "Apache-2.0"
  gem.files = ["lib/twice.rb", "ext/twice/extconf.rb", "ext/twice/twice.c"]
  gem.extensions = ["ext/twice/extconf.rb"]
end
