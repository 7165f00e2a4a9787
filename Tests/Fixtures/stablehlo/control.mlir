module @control {
  func.func public @main(%arg0: tensor<4x3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<i1>) -> (tensor<3xf32>, tensor<4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
    %0 = stablehlo.constant dense<0.0> : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %2 = stablehlo.constant dense<0> : tensor<i32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<4x3xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4x3xf32>
    %7:4 = stablehlo.while(%8 = %2, %9 = %1, %10 = %4, %11 = %6) : tensor<i32>, tensor<3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
    cond {
      %12 = stablehlo.constant dense<4> : tensor<i32>
      %13 = stablehlo.compare LT, %8, %12, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %13 : tensor<i1>
    } do {
      %14 = stablehlo.constant dense<0> : tensor<i32>
      %15 = stablehlo.dynamic_slice %arg0, %8, %14, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %16 = stablehlo.reshape %15 : (tensor<1x3xf32>) -> tensor<3xf32>
      %17 = stablehlo.multiply %9, %arg1 : tensor<3xf32>
      %18 = stablehlo.add %17, %16 : tensor<3xf32>
      %19 = stablehlo.tanh %18 : tensor<3xf32>
      %20 = stablehlo.constant dense<2.0> : tensor<f32>
      %21 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %22 = stablehlo.multiply %19, %21 : tensor<3xf32>
      %23 = stablehlo.constant dense<1> : tensor<i32>
      %24 = stablehlo.add %8, %23 : tensor<i32>
      %25 = stablehlo.reshape %22 : (tensor<3xf32>) -> tensor<1x3xf32>
      %26 = stablehlo.dynamic_update_slice %10, %25, %8, %14 : (tensor<4x3xf32>, tensor<1x3xf32>, tensor<i32>, tensor<i32>) -> tensor<4x3xf32>
      %27 = stablehlo.reshape %9 : (tensor<3xf32>) -> tensor<1x3xf32>
      %28 = stablehlo.dynamic_update_slice %11, %27, %8, %14 : (tensor<4x3xf32>, tensor<1x3xf32>, tensor<i32>, tensor<i32>) -> tensor<4x3xf32>
      stablehlo.return %24, %19, %26, %28 : tensor<i32>, tensor<3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
    }
    %29 = "stablehlo.if"(%arg2) ({
      %30 = stablehlo.constant dense<1.0> : tensor<f32>
      %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %32 = stablehlo.add %arg1, %31 : tensor<3xf32>
      stablehlo.return %32 : tensor<3xf32>
    }, {
      %33 = stablehlo.constant dense<2.0> : tensor<f32>
      %34 = stablehlo.broadcast_in_dim %33, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %35 = stablehlo.multiply %arg1, %34 : tensor<3xf32>
      stablehlo.return %35 : tensor<3xf32>
    }) : (tensor<i1>) -> tensor<3xf32>
    %36 = stablehlo.constant dense<0.0> : tensor<f32>
    %37:2 = stablehlo.while(%38 = %36, %39 = %arg1) : tensor<f32>, tensor<3xf32>
    cond {
      %40 = stablehlo.constant dense<3.0> : tensor<f32>
      %41 = stablehlo.compare LT, %38, %40, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %41 : tensor<i1>
    } do {
      %42 = stablehlo.constant dense<1.0> : tensor<f32>
      %43 = stablehlo.add %38, %42 : tensor<f32>
      %44 = stablehlo.constant dense<2.0> : tensor<f32>
      %45 = stablehlo.broadcast_in_dim %44, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %46 = stablehlo.multiply %39, %45 : tensor<3xf32>
      stablehlo.return %43, %46 : tensor<f32>, tensor<3xf32>
    }
    %47 = stablehlo.constant dense<1.0> : tensor<f32>
    %48 = stablehlo.broadcast_in_dim %47, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %49 = stablehlo.constant dense<0.0> : tensor<f32>
    %50 = stablehlo.broadcast_in_dim %49, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %51 = stablehlo.constant dense<0> : tensor<i32>
    %52:3 = stablehlo.while(%53 = %51, %54 = %48, %55 = %50) : tensor<i32>, tensor<3xf32>, tensor<3xf32>
    cond {
      %56 = stablehlo.constant dense<4> : tensor<i32>
      %57 = stablehlo.compare LT, %53, %56, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %57 : tensor<i1>
    } do {
      %58 = stablehlo.constant dense<3> : tensor<i32>
      %59 = stablehlo.subtract %58, %53 : tensor<i32>
      %60 = stablehlo.constant dense<0> : tensor<i32>
      %61 = stablehlo.dynamic_slice %7#3, %59, %60, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %62 = stablehlo.reshape %61 : (tensor<1x3xf32>) -> tensor<3xf32>
      %63 = stablehlo.dynamic_slice %arg0, %59, %60, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %64 = stablehlo.reshape %63 : (tensor<1x3xf32>) -> tensor<3xf32>
      %65 = stablehlo.constant dense<1.0> : tensor<f32>
      %66 = stablehlo.broadcast_in_dim %65, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %67 = stablehlo.multiply %62, %arg1 : tensor<3xf32>
      %68 = stablehlo.add %67, %64 : tensor<3xf32>
      %69 = stablehlo.tanh %68 : tensor<3xf32>
      %70 = stablehlo.multiply %69, %69 : tensor<3xf32>
      %71 = stablehlo.subtract %66, %70 : tensor<3xf32>
      %72 = stablehlo.multiply %54, %71 : tensor<3xf32>
      %73 = stablehlo.multiply %72, %arg1 : tensor<3xf32>
      %74 = stablehlo.multiply %72, %62 : tensor<3xf32>
      %75 = stablehlo.add %55, %74 : tensor<3xf32>
      %76 = stablehlo.constant dense<1> : tensor<i32>
      %77 = stablehlo.add %53, %76 : tensor<i32>
      stablehlo.return %77, %73, %75 : tensor<i32>, tensor<3xf32>, tensor<3xf32>
    }
    return %7#1, %7#2, %29, %37#1, %52#2 : tensor<3xf32>, tensor<4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
  }
}
