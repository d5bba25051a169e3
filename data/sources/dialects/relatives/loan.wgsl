struct S { a: f32, };
@group(0) @binding(0) var<uniform> s: S;
fn f(x: f32) -> f32 { if (x > 1.0) { return sin(x); } return x; }
@vertex fn main() -> @builtin(position) vec4<f32> { return vec4<f32>(f(s.a)); }
