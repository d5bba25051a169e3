#version 330 core
layout (location = 0) in vec3 pos;
uniform float scale;
struct Light { vec3 color; };
float f(float a) { if (a > 1.0) { return sin(a); } return a; }
void main() { gl_Position = vec4(pos * f(scale), 1.0); }
