// ESIM's core from numpy, for benchmarks/sensors.py: pictures in memory, no files, its own time.
//
// With SRC a checkout of rpg_vid2e's esim_py folder, and OpenCV, Eigen, Boost and pybind11:
//
//   g++ -O3 -march=native -shared -fPIC -std=c++17 -I$SRC/include -I/usr/include/eigen3
//       -I/usr/include/opencv4 $(python -m pybind11 --includes) esim_core.cpp $SRC/src/esim.cpp
//       -o esim_core.so -lopencv_core -lopencv_imgproc -lopencv_highgui -lopencv_imgcodecs
//       -lopencv_videoio -lboost_filesystem -lboost_system
#include <algorithm>
#include <sstream>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#define private public  // the callback that takes pictures is private
#include <esim.h>
#undef private

namespace py = pybind11;
using Pictures = py::array_t<unsigned char, py::array::c_style>;

static size_t simulate(EventSimulator &simulator, Pictures pictures, py::array_t<double> stamps) {
    auto seen = pictures.unchecked<3>();
    auto t = stamps.unchecked<1>();
    std::vector<Event> events;
    for (py::ssize_t k = 0; k < seen.shape(0); ++k) {
        cv::Mat picture(seen.shape(1), seen.shape(2), CV_8U,
                        const_cast<unsigned char *>(seen.data(k, 0, 0)));
        cv::Mat scaled, log_picture;
        picture.convertTo(scaled, CV_32F, 1.0 / 255);
        cv::log(scaled + simulator.log_eps_, log_picture);
        simulator.imageCallback(log_picture, t(k), events);
    }
    simulator.is_initialized_ = false;
    return events.size();
}

PYBIND11_MODULE(esim_core, m) {
    py::class_<EventSimulator>(m, "EventSimulator")
        .def(py::init<float, float, float, float, bool>())
        .def("simulate", &simulate);
}
