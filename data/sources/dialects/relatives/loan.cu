#include <stdio.h>
__global__ void add(int n, float *x) { int i = threadIdx.x; if (i < n) x[i] = f(x[i]); }
template <typename T> struct S { T a; };
int main() { add<<<1, 256>>>(3, x); cudaDeviceSynchronize(); return 0; }
