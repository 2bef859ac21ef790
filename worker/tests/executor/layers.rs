//! Layers: what functions find beside their code.

use std::sync::Arc;

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_shared::function::package::Packer;
use badlambda_worker::sandbox::{Executor, Task, TaskCode, Unpacked};
use serde_json::{Value, json};

use super::fixture::{executor, result, run, start, task};

/// A zip of files and their content.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut packer = Packer::default();
    for (path, content) in files {
        packer.file(path, content, false).unwrap();
    }
    packer.finish().unwrap()
}

fn unpacked(executor: &Executor, zips: &[Vec<u8>]) -> Option<Arc<Unpacked>> {
    Some(Arc::new(executor.unpack(zips).unwrap()))
}

/// A task for AWS Lambda's surroundings, of this code, with these layers.
fn lambda_task(code: &str, layers: &[Vec<u8>], environment: Value) -> Task {
    task_for(executor(), code, layers, environment)
}

fn task_for(executor: &Executor, code: &str, layers: &[Vec<u8>], environment: Value) -> Task {
    let config =
        json!({"handler": "function.handler", "compatibility": "lambda", "environment": environment});
    let package = executor.unpack(&[zip(&[("function.rb", code.as_bytes())])]).unwrap();
    let revision = format!("{code}{layers:?}{environment}");
    Task {
        code: TaskCode::Package(Arc::new(package)),
        layers: unpacked(executor, layers),
        ..task(Form::Handler, &revision, config, json!(null))
    }
}

/// Like `3.3.0`: as folders of gems are called.
fn gem_version() -> String {
    result(&run("RbConfig::CONFIG['ruby_version']", json!({}), json!(null))).as_str().unwrap().to_owned()
}

/// A gem as `gem install` leaves it in a layer, with a C extension that this machine's Ruby brings.
fn gem_with_extension() -> Vec<u8> {
    let find = "require 'rubygems'\n\
                so = $LOAD_PATH.map { |folder| \"#{folder}/digest/bubblebabble.so\" }.find { |file| File.exist?(file) }\n\
                [File.binread(so).bytes, Gem::Platform.local.to_s, Gem.extension_api_version]";
    let found = result(&run(find, json!({}), json!(null)));
    let text = |index: usize| found[index].as_str().unwrap();
    let extension: Vec<u8> = serde_json::from_value(found[0].clone()).unwrap();
    let gems = format!("ruby/gems/{}", gem_version());
    let extensions = format!("{gems}/extensions/{}/{}/babble-1.0", text(1), text(2));
    let about = "Gem::Specification.new do |s|\n  s.name = 'babble'\n  s.version = '1.0'\n  s.summary = ''\n  \
                 s.authors = ['']\n  s.files = ['lib/babble.rb']\n  s.extensions = ['ext/extconf.rb']\nend\n";
    let library = "require 'bubblebabble'\nBABBLE = Digest.bubblebabble('x')\n";
    zip(&[
        (&format!("{gems}/specifications/babble-1.0.gemspec"), about.as_bytes()),
        (&format!("{gems}/gems/babble-1.0/lib/babble.rb"), library.as_bytes()),
        (&format!("{extensions}/gem.build_complete"), b""),
        (&format!("{extensions}/bubblebabble.so"), &extension),
    ])
}

#[test]
fn libraries_and_gems_of_layers_are_found_and_the_last_layer_counts() {
    let first: &[(&str, &[u8])] = &[
        ("ruby/lib/tool.rb", b"TOOL = 'first'\n"),
        ("ruby/lib/other.rb", b"OTHER = File.read(\"#{__dir__}/../../data/words\")\n"),
        ("data/words", b"words"),
    ];
    let second: &[(&str, &[u8])] = &[("ruby/lib/tool.rb", b"TOOL = 'second'\n")];
    let code = "require 'tool'\nrequire 'other'\nrequire 'babble'\n\
                def handler(event:, context:)\n  \
                roots = [ENV['LAMBDA_TASK_ROOT'], ENV['BADLAMBDA_LAYERS_ROOT']]\n  \
                libraries = ENV['RUBYLIB'].split(':')\n  \
                [TOOL, OTHER, BABBLE.size, libraries == [roots[0], \"#{roots[1]}/ruby/lib\"],\n   \
                $LOAD_PATH.first(2) == libraries, ENV['GEM_PATH'] == Gem.path.join(':'), Gem.path.first.start_with?(roots[1]),\n   \
                File.read(\"#{roots[1]}/data/words\"), ENV['PATH'].end_with?(\":#{roots[1]}/bin\")]\nend\n";
    let task = lambda_task(code, &[zip(first), zip(second), gem_with_extension()], json!({}));
    let seen = result(&executor().execute(&task).unwrap());
    assert_eq!(seen, json!(["second", "words", 5, true, true, true, true, "words", true]));
}

#[test]
fn a_config_may_say_where_libraries_and_gems_are() {
    let layer = zip(&[("lib/tool.rb", b"TOOL = 1\n"), ("ruby/lib/usual.rb", b"")]);
    let code = "require 'tool'\nFOUND = begin\n  require 'usual'\nrescue LoadError\n  'not found'\nend\n\
                def handler(event:, context:) = [TOOL, FOUND, ENV['RUBYLIB'] == \"#{ENV['BADLAMBDA_LAYERS_ROOT']}/lib\"]\n";
    let task = lambda_task(code, &[layer], json!({"RUBYLIB": "/opt/lib:/opt/missing"}));
    assert_eq!(result(&executor().execute(&task).unwrap()), json!([1, "not found", true]));
}

#[test]
fn errors_show_layers_below_opt() {
    let layer = zip(&[("ruby/lib/tool.rb", b"def tool = raise(__FILE__)\n")]);
    let code = "require 'tool'\ndef handler(event:, context:) = tool\n";
    let outcome = executor().execute(&lambda_task(code, std::slice::from_ref(&layer), json!({}))).unwrap();
    let raised = outcome.result.unwrap_err();
    assert_eq!((raised.kind, raised.message.as_str()), (ErrorKind::Exception, "/opt/ruby/lib/tool.rb"));
    assert!(raised.backtrace[0].starts_with("/opt/ruby/lib/tool.rb:1:in"), "{:?}", raised.backtrace);
    assert!(raised.backtrace[1].starts_with("/var/task/function.rb:2:in"), "{:?}", raised.backtrace);
    let code = "def handler(event:, context:) = File.read('/opt/data/words')\n";
    let outcome = executor().execute(&lambda_task(code, &[layer], json!({}))).unwrap();
    let missing = outcome.result.unwrap_err();
    assert!(
        missing
            .message
            .ends_with("(layers are in the folder ENV[\"BADLAMBDA_LAYERS_ROOT\"] here, and not in /opt)")
    );
}

/// A Ruby file has layers, too, in both forms and in this system's own surroundings.
#[test]
fn a_file_of_code_finds_layers() {
    let layers = unpacked(executor(), &[zip(&[("ruby/lib/tool.rb", b"TOOL = 1\n")])]);
    for (form, code) in [
        (Form::Script, "require 'tool'\n[TOOL, ENV.key?('RUBYLIB')]"),
        (Form::Handler, "require 'tool'\ndef handler(event:, context:) = [TOOL, ENV.key?('RUBYLIB')]"),
    ] {
        let task = Task { layers: layers.clone(), ..task(form, code, json!({}), json!(null)) };
        assert_eq!(result(&executor().execute(&task).unwrap()), json!([1, false]), "{code}");
    }
}

#[test]
fn layers_stay_while_a_template_reads_them_and_are_not_written() {
    let code = "def refused = yield.then { 'it worked' } rescue $!.class.name\n\
                def handler(event:, context:)\n  root = ENV['BADLAMBDA_LAYERS_ROOT']\n  \
                [File.read(\"#{root}/data\"), Process.ppid, refused { File.write(\"#{root}/data\", '') }]\nend\n";
    let layer = zip(&[("data", b"data")]);
    let executor = start(1);
    // What each task holds, it lets go of with its end.
    let ask = || {
        let task = task_for(&executor, code, std::slice::from_ref(&layer), json!({}));
        result(&executor.execute(&task).unwrap())
    };
    let (first, second) = (ask(), ask());
    // Both came from one template, which reads the folder that it was loaded with.
    assert_eq!((&first[0], &second[0]), (&json!("data"), &json!("data")));
    assert_eq!(first[1], second[1]);
    if nix::unistd::geteuid().is_root() {
        assert_ne!(first[2], "it worked");
    }
}
