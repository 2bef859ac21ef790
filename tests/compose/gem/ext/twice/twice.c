#include <ruby.h>

static VALUE twice(VALUE self, VALUE number) { return LONG2NUM(2 * NUM2LONG(number)); }

void Init_twice(void) { rb_define_module_function(rb_define_module("Twice"), "of", twice, 1); }
