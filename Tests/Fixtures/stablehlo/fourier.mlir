module @fourier {
  func.func public @main(%arg0: tensor<2x8xf32>) -> (tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
    %0 = stablehlo.fft %arg0, type = RFFT, length = [8] : (tensor<2x8xf32>) -> tensor<2x5xcomplex<f32>>
    %1 = stablehlo.real %0 : (tensor<2x5xcomplex<f32>>) -> tensor<2x5xf32>
    %2 = stablehlo.imag %0 : (tensor<2x5xcomplex<f32>>) -> tensor<2x5xf32>
    %3 = stablehlo.complex %1, %2 : tensor<2x5xcomplex<f32>>
    %4 = stablehlo.fft %3, type = IRFFT, length = [8] : (tensor<2x5xcomplex<f32>>) -> tensor<2x8xf32>
    %5 = stablehlo.constant dense<2.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<2x8xf32>
    %7 = stablehlo.multiply %arg0, %6 : tensor<2x8xf32>
    %8 = stablehlo.complex %arg0, %7 : tensor<2x8xcomplex<f32>>
    %9 = stablehlo.fft %8, type = FFT, length = [8] : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xcomplex<f32>>
    %10 = stablehlo.real %9 : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xf32>
    %11 = stablehlo.imag %9 : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xf32>
    %12 = stablehlo.complex %10, %11 : tensor<2x8xcomplex<f32>>
    %13 = stablehlo.fft %12, type = IFFT, length = [8] : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xcomplex<f32>>
    %14 = stablehlo.real %13 : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xf32>
    %15 = stablehlo.imag %13 : (tensor<2x8xcomplex<f32>>) -> tensor<2x8xf32>
    return %1, %2, %4, %14, %15 : tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
  }
}
